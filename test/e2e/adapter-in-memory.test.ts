import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fileDigest } from '../../lib/core/files.js';
import { Adapter, convertAdapter, Dataset, DualAnoDiff, embedded, Sampler, Trainer } from '../../lib/index.js';
import { scratchFolder } from '../helpers/scratch.js';

const folder = scratchFolder();
const saved = join(folder, 'saved.safetensors');
let model: DualAnoDiff;
let dataset: Dataset;
let adapter: Adapter;

const trainerOf = (seed: number) => new Trainer(model, { types: ['stain'], resolution: 32, rank: 4, seed });

beforeAll(async () => {
  model = await DualAnoDiff.load(embedded.base);
  dataset = await Dataset.open(embedded.example);
  await using trainer = trainerOf(1);
  for await (const _ of trainer.train(dataset, { steps: 3 }));
  await trainer.save(saved);
  adapter = await trainer.adapter();
});
afterAll(async () => {
  await adapter?.dispose();
  await model?.dispose();
});

/** The bytes of two pairs. */
const draw = async (from: Adapter | string): Promise<Uint8Array[]> => {
  await using sampler = await Sampler.create(model, from);
  const bytes: Uint8Array[] = [];
  for await (const { image, part } of sampler.sample({ count: 2, steps: 3, seed: 2 }))
    bytes.push(image.data, part.data);
  return bytes;
};

describe('an adapter in memory', () => {
  it('an adapter in memory gives the pairs of its saved file, and so does one that was loaded', async () => {
    const expected = await draw(saved);
    expect(expected).toHaveLength(4);
    expect(await draw(adapter)).toEqual(expected);
    await using loaded = await Adapter.load(saved);
    expect(await draw(loaded)).toEqual(expected);
  });

  it("an adapter in memory is saved as the trainer's file bit for bit, and so is one that was loaded from it", async () => {
    await using loaded = await Adapter.load(saved);
    for (const [name, one] of Object.entries({ trained: adapter, loaded })) {
      const file = join(folder, `${name}.safetensors`);
      await one.save(file);
      expect(readFileSync(file).equals(readFileSync(saved))).toBe(true);
    }
  });

  it('the digest of an adapter is that of the file that it was loaded from or that it writes', async () => {
    const digest = await fileDigest(saved);
    await using loaded = await Adapter.load(saved);
    expect(await loaded.digest()).toBe(digest);
    expect(await adapter.digest()).toBe(digest);
    await using other = trainerOf(2);
    for await (const _ of other.train(dataset, { steps: 1 }));
    await using fresh = await other.adapter();
    expect(await fresh.digest()).not.toBe(digest);
  });

  it('an adapter in memory says of itself what its file says', async () => {
    await using loaded = await Adapter.load(saved);
    expect(adapter.info).toEqual(loaded.info);
    expect(adapter.info).toMatchObject({ types: ['stain'], resolution: 32, background: 'off', partFill: 'grey' });
    expect(adapter.info.metadata).toMatchObject({ defect_share: '0.3', steps: '3', rank: '4' });
  });

  it('an adapter in memory stays as it was while its trainer goes on', async () => {
    await using trainer = trainerOf(1);
    for await (const _ of trainer.train(dataset, { steps: 3 }));
    await using before = await trainer.adapter();
    for await (const _ of trainer.train(dataset, { steps: 4 }));
    await using after = await trainer.adapter();
    expect(await before.digest()).toBe(await fileDigest(saved));
    expect(await after.digest()).not.toBe(await fileDigest(saved));
  });

  it('an adapter of the published code is saved in the own format', async () => {
    const [published, own] = [join(folder, 'published.safetensors'), join(folder, 'own.safetensors')];
    await convertAdapter(saved, published, { format: 'published' });
    await using loaded = await Adapter.load(published);
    await loaded.save(own);
    await using again = await Adapter.load(own);
    expect(again.info.metadata).toMatchObject({ format: 'dualanodiff-adapter', background: 'off' });
    expect(await draw(again)).toEqual(await draw(loaded));
  });

  it('an adapter that is disposed is refused, and so is what is no adapter', async () => {
    const disposed = await Adapter.load(saved);
    await disposed.dispose();
    await expect(Sampler.create(model, disposed)).rejects.toMatchObject({ code: 'ERR_DISPOSED' });
    await expect(disposed.save(join(folder, 'never.safetensors'))).rejects.toMatchObject({ code: 'ERR_DISPOSED' });
    await expect(Sampler.create(model, 5 as never)).rejects.toMatchObject({ code: 'ERR_INVALID_OPTION' });
  });
});
