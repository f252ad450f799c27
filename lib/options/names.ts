/** Lists the words that options choose from. */

export const schedulers = ['pndm', 'ddim', 'ddpm', 'euler', 'dpmsolver++', 'dpmsolver++-karras', 'unipc'] as const;

/** A photograph becomes a square either by cropping or by stretching. */
export const fits = ['crop', 'stretch'] as const;
export type Fit = (typeof fits)[number];

/** These methods find the mask of an anomaly part. */
export const maskMethods = ['u2net', 'attention', 'threshold'] as const;

/**
 * A mask is `exact` if the pair was made together with it. It is `placed` if it comes from a placed defect and the
 * change of its photograph.
 */
export const foundTogether = ['exact', 'placed'] as const;
export type MaskMethod = (typeof maskMethods)[number] | (typeof foundTogether)[number];

/** These weights can be installed. The first two find foregrounds, the others are backbones of detectors. */
export const weightsNames = ['u2net', 'u2netp', 'mobilenet-v2', 'efficientnet-lite0'] as const;
export type WeightsName = (typeof weightsNames)[number];

/** These networks give the features that detectors compare. */
export const backbones = [
  'resnet18',
  'resnet50',
  'wide-resnet50-2',
  'mobilenet-v2',
  'efficientnet-lite0',
  'dinov2-vit-s14',
] as const;
export type BackboneName = (typeof backbones)[number];

/** These recipes make pairs. */
export const recipes = ['noise', 'place', 'augment'] as const;
export type RecipeName = (typeof recipes)[number];

/** `export` writes these formats. */
export const exportFormats = ['coco', 'yolo', 'labelme', 'anomalib', 'masks'] as const;
export type ExportFormat = (typeof exportFormats)[number];

/** These detectors can be fitted. The engine's table of detectors has the same names. */
export const detectors = [
  'unet',
  'patchcore',
  'cfa',
  'rd4ad',
  'efficientad',
  'draem',
  'draem-sspcab',
  'supersimplenet',
  'devnet',
  'dra',
] as const;
export type DetectorName = (typeof detectors)[number];

/** Detectors learn from defects of these sources. */
export const defectSources = ['pairs', 'crop-paste', 'draem', 'none'] as const;
export type DefectSource = (typeof defectSources)[number];

/** An evaluation compares pairs with these baselines. */
export const baselines = ['none', 'crop-paste', 'draem'] as const;
export const protocols = ['paper', 'small'] as const;
export type ProtocolName = (typeof protocols)[number];

/** Each of these variants of `noise` lacks one part of the method, so that developers can measure its effect. */
export const ablations = ['one-prompt', 'no-saim', 'one-branch', 'background'] as const;
export type AblationName = (typeof ablations)[number];

/**
 * Annotated photographs can be read in these formats. The first ones are the layouts of public data sets, and the others
 * those of annotation tools. `masks` stands for images beside their masks.
 */
export const dataFormats = [
  'mvtec',
  'btad',
  'mpdd',
  'visa',
  'kolektor',
  'coco',
  'labelme',
  'cvat',
  'yolo',
  'voc',
  'datumaro',
  'masks',
] as const;
export type DataFormat = (typeof dataFormats)[number];
