// compare_masks.py runs this program with the path of a dataset. It prints the masks of all examples by type and name, as
// bytes in base64.
import { Dataset } from '../../dist/dataset/dataset.js';
import { readMask } from '../../dist/dataset/mask-file.js';

const dataset = await Dataset.open(process.argv[2]);
const masks = {};
for (const type of dataset.types) {
  masks[type] = {};
  for (const { name, mask } of await dataset.examples(type)) {
    masks[type][name] = Buffer.from((await readMask(mask)).data).toString('base64');
  }
}
process.stdout.write(JSON.stringify(masks));
