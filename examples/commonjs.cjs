// One pair, image and part side by side: node examples/commonjs.cjs ADAPTER OUT.png
const sharp = require('sharp');
const { DualAnoDiff, Sampler, embedded } = require('dualanodiff');

async function main([adapter, out]) {
  const model = await DualAnoDiff.load(embedded.base);
  const sampler = await Sampler.create(model, adapter);
  for await (const { image, part } of sampler.sample({ count: 1, steps: 10, scheduler: 'dpmsolver++' })) {
    const { width, height } = image;
    const png = (picture) => sharp(picture.data, { raw: { width, height, channels: 3 } }).png().toBuffer();
    await sharp({ create: { width: 2 * width, height, channels: 3, background: 'white' } })
      .composite([
        { input: await png(image), left: 0, top: 0 },
        { input: await png(part), left: width, top: 0 },
      ])
      .toFile(out);
  }
  await sampler.dispose();
  await model.dispose();
  console.log(`wrote ${out}`);
}

main(process.argv.slice(2)).catch((error) => {
  console.error(`${error.code ?? 'error'}: ${error.message}`);
  process.exitCode = 1;
});
