/** Records what failed in a campaign, while its other categories and types go on. */
import { DualAnoDiffError } from '../core/errors.js';

/** Describes a category or type that failed. */
export interface CampaignFailure {
  category: string;
  /** This is absent if the category itself could not be opened. */
  type?: string;
  /** This is ERR_UNEXPECTED for errors that this package does not throw itself. */
  code: string;
  message: string;
}

/** Describes any error of a member, whatever was thrown. */
export function failureOf(member: { category: string; type?: string }, error: unknown): CampaignFailure {
  const code = error instanceof DualAnoDiffError ? error.code : 'ERR_UNEXPECTED';
  return { ...member, code, message: error instanceof Error ? error.message : String(error) };
}

/** Returns what messages call the member that failed. */
export const nameOfFailure = ({ category, type }: CampaignFailure): string =>
  type === undefined ? category : `${category} ${type}`;
