/** Declares the commands that look at data and convert it. Jobs are imported when they run, as in jobs.ts. */
import { checkDataOptions } from '../options/check-data.js';
import { exportOptions } from '../options/export.js';
import type { CommandSpec } from './command.js';

const checkData: CommandSpec = {
  name: 'check',
  description: 'Say what data holds, what is wrong with it, and what training would make of it.',
  options: checkDataOptions,
  computes: true,
  async run(options, context) {
    const { check } = await import('../jobs/check.js');
    const { checkScreen } = await import('./check-screen.js');
    const result = await check(options as never, context);
    return { text: checkScreen(result), value: result, hasFailed: result.problems > 0 };
  },
};

const exportData: CommandSpec = {
  name: 'export',
  description: 'Write images and masks as COCO, YOLO, labelme, folders of anomalib, or plain masks.',
  options: exportOptions,
  computes: true,
  async run(options, context) {
    const { exportDataset } = await import('../jobs/export.js');
    const result = await exportDataset(options as never, context);
    const { images, synthetic, types, format, out } = result;
    const counts = Object.entries(types).map(([type, count]) => `${count} ${type}`);
    const text = `${images} images (${counts.join(', ') || 'none with a defect'}), ${synthetic} of them generated, as ${format} in ${out}`;
    return { text, value: result };
  },
};

export const dataCommands = [checkData, exportData];
