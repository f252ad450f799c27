// One pair, image and part side by side: node examples/commonjs.cjs ADAPTER OUT.png
const sharp = require('sharp');
const { DualAnoDiff } = require('dualanodiff');

async function main([adapter, out]) {
  const model = await DualAnoDiff.load();
  for await (const { image, part } of model.generate(adapter, { count: 1, steps: 10, mask: [] })) {
    const { width, height } = image;
    await sharp({ create: { width: 2 * width, height, channels: 3, background: 'white' } })
      .composite([
        { input: await image.toSharp().png().toBuffer(), left: 0, top: 0 },
        { input: await part.toSharp().png().toBuffer(), left: width, top: 0 },
      ])
      .toFile(out);
  }
  await model.dispose();
  console.log(`wrote ${out}`);
}

main(process.argv.slice(2)).catch((error) => {
  console.error(`${error.code ?? 'error'}: ${error.message}`);
  process.exitCode = 1;
});
