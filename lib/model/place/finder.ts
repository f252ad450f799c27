import { DatasetError } from '../../core/errors.js';
import { warn } from '../../core/warnings.js';
import type { Photograph } from '../../dataset/photograph.js';
import type { Region } from '../../dataset/place-region.js';
import { MAX_MIRRORED } from '../../dataset/window-size.js';
import { automaticPlace } from './automatic-place.js';
import type { PlaceEngine } from './engine.js';
import { Foregrounds, groundOf } from './ground.js';
import { type FinderSettings, type Place, type PlaceKey, type Site, TRIES } from './place.js';
import { regionPlace } from './region-place.js';

/** A photograph with its ground, and with the region that the user gave. */
interface Prepared {
  site: Site;
  region: Region | undefined;
}

/** Finds the places of defects. It keeps what it has found out about a photograph for as long as the photograph lives. */
export class PlaceFinder {
  readonly #prepared = new WeakMap<Photograph, Prepared>();
  readonly #foregrounds: Foregrounds | undefined;

  constructor(
    private readonly engine: Pick<PlaceEngine, 'move'>,
    private readonly settings: FinderSettings,
  ) {
    this.#foregrounds = settings.foreground && new Foregrounds(settings.foreground);
  }

  /**
   * Finds a place that does not overlap `taken`. Returns undefined if there is none beside them, or none for another
   * attempt. Throws ERR_DATASET_INVALID with the photograph, and with the mask that leaves no place.
   */
  async find(photograph: Photograph, key: PlaceKey, taken: readonly Place[]): Promise<Place | undefined> {
    const prepared = this.#prepared.get(photograph) ?? (await this.#prepare(photograph));
    this.#prepared.set(photograph, prepared);
    const { site, region } = prepared;
    const { where } = this.settings;
    if (where && region) return regionPlace(site, key, region, where.kind);
    const found = await automaticPlace(site, key, taken);
    if (found || taken.length > 0 || key.attempt > 0) return found;
    const onto = site.ground.object ? 'its foreground' : 'it';
    throw new DatasetError(
      `No place for a defect is left in ${photograph.label}: in ${TRIES} tries, no training defect fitted into ${onto}${this.settings.whereNot ? ' outside of whereNot' : ''}`,
    );
  }

  async #prepare(photograph: Photograph): Promise<Prepared> {
    const { settings, engine } = this;
    const { image, label } = photograph;
    const region = await settings.where?.regionOf(photograph);
    if (settings.where && !region) throw new DatasetError(`The mask for where of ${label} is empty: it marks no pixel`);
    const side = settings.window === 'off' ? Math.min(image.width, image.height) : settings.window;
    if (side > MAX_MIRRORED * Math.max(image.width, image.height)) {
      throw new DatasetError(
        `${label} is too small for windows of ${side} pixels: expected at least ${Math.ceil(side / MAX_MIRRORED)} pixels along its longer side, but it has ${image.width} x ${image.height}`,
      );
    }
    const ground = await groundOf(photograph, this.#foregrounds, settings.whereNot);
    if (side > image.width || side > image.height) {
      const size = `${image.width} x ${image.height}`;
      warn(
        `A window of ${side} x ${side} pixels does not fit into ${label}, which has ${size}: the photograph is mirrored at its border.`,
        `window ${side} in ${size}`,
      );
    }
    return { site: { photograph, ground, side, settings, engine }, region };
  }
}
