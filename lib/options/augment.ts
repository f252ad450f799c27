/** Declares the options of the recipe that needs no model. Its constants are fixed in the engine. */
import { z } from 'zod';
import { pick } from './option.js';
import { count } from './sampling.js';
import { trainingOptions, type } from './training.js';

export const augmentOptions = { type, count, ...pick(trainingOptions, ['resolution', 'fit', 'trainImages', 'seed']) };
export const augmentSchema = z.strictObject(augmentOptions);
