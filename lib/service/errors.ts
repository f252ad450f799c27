/** Turns errors into answers. */
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import { DualAnoDiffError } from '../core/errors.js';
import { isQueueFailure } from '../queue/redis.js';
import type { ReviewState } from '../review/contract.js';
import { RequestError } from '../review/request-error.js';

/** All other codes are faults of the service, with status 500. Their messages stay in the log. */
const STATUS: Record<string, number> = {
  ERR_INVALID_REQUEST: 400,
  ERR_INVALID_OPTION: 400,
  ERR_ARCHIVE_INVALID: 400,
  ERR_DATASET_INVALID: 400,
  ERR_UNAUTHORIZED: 401,
  ERR_FORBIDDEN: 403,
  ERR_NOT_FOUND: 404,
  ERR_JOB_NOT_FOUND: 404,
  ERR_METHOD_NOT_ALLOWED: 405,
  ERR_JOB_STATE: 409,
  ERR_IDEMPOTENCY_CONFLICT: 409,
  ERR_CONFLICT: 409,
  ERR_REVIEW_ENDED: 410,
  ERR_TOO_LARGE: 413,
  ERR_UNSUPPORTED_TYPE: 415,
  ERR_RANGE: 416,
  ERR_RATE_LIMITED: 429,
  ERR_QUEUE_FULL: 503,
  ERR_BUSY: 503,
  ERR_NOT_READY: 503,
  ERR_STORE_ACCESS: 503,
  ERR_QUEUE_UNAVAILABLE: 503,
};

/** The framework's errors have a status, which tells the code. */
const CODE_OF_STATUS: Record<number, string> = {
  404: 'ERR_NOT_FOUND',
  413: 'ERR_TOO_LARGE',
  415: 'ERR_UNSUPPORTED_TYPE',
  429: 'ERR_RATE_LIMITED',
  500: 'ERR_UNEXPECTED',
};

/** A client should try again after this number of seconds when the service is busy. */
const RETRY_AFTER_SECONDS = 10;

/** The machine of the service refuses file operations for these reasons, which pass when there is room or permission. */
const MACHINE_REFUSALS = new Set(['ENOSPC', 'EDQUOT', 'EROFS', 'EMFILE', 'ENFILE', 'EIO', 'EACCES', 'EPERM']);

/** Returns whether an error, or what has caused it, is such a refusal. */
function isMachineRefusal(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return MACHINE_REFUSALS.has((error as NodeJS.ErrnoException).code ?? '') || isMachineRefusal(error.cause);
}

export const serviceError = (code: string, message: string) => new DualAnoDiffError(message, code);

export interface ErrorAnswer {
  status: number;
  error: { code: string; message: string };
}

/** A message may repeat what the client has sent. */
const MAX_MESSAGE_CHARACTERS = 600;

/** What clients are told of these faults, whose messages name addresses and paths of the service. */
const FAULTS: Record<string, string> = {
  ERR_QUEUE_UNAVAILABLE: 'The queue cannot be used now',
  ERR_STORE_ACCESS: 'The store cannot be used now',
  ERR_FILE_ACCESS: 'The service cannot use its files now',
};
/** The messages of these faults are for clients. Those of all others may name paths and addresses of the service. */
const TOLD = ['ERR_QUEUE_FULL', 'ERR_BUSY', 'ERR_NOT_READY'];

/** Finds the status and the code of an error. */
function judge(error: Error & { statusCode?: number }): { status: number; code: string } {
  const isOwn = error instanceof DualAnoDiffError;
  if (isQueueFailure(error)) return { status: 503, code: 'ERR_QUEUE_UNAVAILABLE' };
  // A damaged file has the same code, but is not mended by waiting.
  if ((!isOwn || error.code === 'ERR_FILE_ACCESS') && isMachineRefusal(error))
    return { status: 503, code: 'ERR_FILE_ACCESS' };
  if (isOwn) return { status: STATUS[error.code] ?? 500, code: error.code };
  const { statusCode = 500 } = error;
  const status = statusCode >= 400 && statusCode < 500 ? statusCode : 500;
  return { status, code: CODE_OF_STATUS[status] ?? 'ERR_INVALID_REQUEST' };
}

/** Describes an error to a client. Faults of the service say no more than their code and the request. */
export function answerOf(error: Error & { statusCode?: number }, requestId: string): ErrorAnswer {
  const { status, code } = judge(error);
  const message = error.message.slice(0, MAX_MESSAGE_CHARACTERS);
  if (status < 500 || TOLD.includes(code)) return { status, error: { code, message } };
  const fault = status === 503 && FAULTS[code];
  const told = fault
    ? `${fault}: try again later. The log of the service has the reason at the request ${requestId}`
    : `The service failed: see its log for the request ${requestId}`;
  return { status, error: { code, message: told } };
}

export function handleError(
  error: FastifyError | DualAnoDiffError,
  request: FastifyRequest,
  reply: FastifyReply,
): void {
  const answer = answerOf(error, request.id);
  if (answer.status >= 500) request.log.error({ err: error }, 'the request failed');
  if (answer.status === 401) reply.header('www-authenticate', 'Bearer');
  if (answer.status === 503) reply.header('retry-after', RETRY_AFTER_SECONDS);
  // The answer to an upload may come before all of it is read, and the rest is no request.
  if (answer.status === 413) reply.header('connection', 'close');
  // An undo that came too late gets the state of the pair.
  const state: ReviewState | undefined = error instanceof RequestError ? error.state : undefined;
  reply
    .code(answer.status)
    .type('application/json')
    .send({ error: answer.error, ...(state && { state }) });
}
