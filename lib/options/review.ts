/** Declares the options of `review`. */
import { z } from 'zod';
import { integer, path } from './check.js';
import { option } from './option.js';

export const reviewOptions = {
  data: option(
    path('a folder or file').optional(),
    'common',
    'Show the nearest real defects of this category beside the pairs, and its good photographs that defects were placed in.',
    { valueName: 'path' },
  ),
  onto: option(
    path('a folder or file').optional(),
    'common',
    'Show the photographs from here that place has put defects in: the value of its --onto.',
    { valueName: 'path' },
  ),
  port: option(integer(0, 65535).default(0), 'common', 'Listen on this port of 127.0.0.1. 0 takes one that is free.'),
};
export const reviewSchema = z.strictObject({ dir: path('a folder'), ...reviewOptions });
