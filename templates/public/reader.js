// Reads QR codes from pictures, apart from the page so that the page stays quick. A module worker: browsers of 2023.
// In: {id, width, height, pixels, thorough, turn}. Out: {id, texts}: every different text in view. Once: {ready: names}.
// The small decoder answers first; the stronger one (WebAssembly) joins when it has arrived.
import { decodeQRBatch } from './qr/decode.js';

const ready = ['qr'];
const strong = import('./zxing/reader/index.js').then(async (zxing) => {
  const answer = await fetch(new URL('./zxing/zxing_reader.wasm', import.meta.url));
  if (!answer.ok) throw new Error('no decoder');
  const wasmBinary = await answer.arrayBuffer();
  await zxing.prepareZXingModule({ overrides: { wasmBinary }, fireImmediately: true });
  ready.push('zxing');
  return zxing;
}).catch(() => null);
strong.then(() => postMessage({ ready }));

async function bySmall(image, thorough) {
  const found = await decodeQRBatch([image], {
    timeLimit: thorough ? 400 : 30, maxSize: { width: image.width, height: image.height },
    textDecoder: (bytes) => new TextDecoder().decode(bytes),
  });
  return found[0].filter((text) => typeof text === 'string');
}

async function byStrong(zxing, image, more) {
  const found = await zxing.readBarcodes(new ImageData(image.data, image.width, image.height), {
    formats: ['QRCode'], maxNumberOfSymbols: 4, tryHarder: true, tryRotate: true, tryInvert: false, tryDownscale: true,
    ...more,
  });
  return found.filter((one) => one.isValid).map((one) => one.text);
}

// Each pixel the mean of its neighbourhood: noise goes, edges stay where they are.
function smoothed(image, reach) {
  const { width, height, data } = image;
  const grey = new Float32Array(width * height);
  for (let at = 0; at < grey.length; at++) grey[at] = (data[4 * at] * 77 + data[4 * at + 1] * 151 + data[4 * at + 2] * 28) / 256;
  const rows = new Float32Array(grey.length);
  const size = 2 * reach + 1;
  for (let y = 0; y < height; y++) {
    let sum = 0;
    for (let x = -reach; x < width; x++) {
      if (x + reach < width) sum += grey[y * width + x + reach];
      if (x > reach) sum -= grey[y * width + x - reach - 1];
      if (x >= 0) rows[y * width + x] = sum / size;
    }
  }
  const out = new Uint8ClampedArray(data.length);
  for (let x = 0; x < width; x++) {
    let sum = 0;
    for (let y = -reach; y < height; y++) {
      if (y + reach < height) sum += rows[(y + reach) * width + x];
      if (y > reach) sum -= rows[(y - reach - 1) * width + x];
      if (y >= 0) {
        const at = 4 * (y * width + x);
        out[at] = out[at + 1] = out[at + 2] = sum / size;
        out[at + 3] = 255;
      }
    }
  }
  return { width, height, data: out };
}

function scaled(image, factor) {
  const from = new OffscreenCanvas(image.width, image.height);
  from.getContext('2d').putImageData(new ImageData(image.data, image.width, image.height), 0, 0);
  const width = Math.round(image.width * factor), height = Math.round(image.height * factor);
  const to = new OffscreenCanvas(width, height).getContext('2d', { willReadFrequently: true });
  to.imageSmoothingQuality = 'high';
  to.drawImage(from, 0, 0, width, height);
  return { width, height, data: to.getImageData(0, 0, width, height).data };
}

// A chosen picture is looked at in every way; of a film each frame in one more way than the plain one, taking turns.
async function read(image, thorough, turn) {
  const zxing = thorough || ready.length > 1 ? await strong : null;
  const first = await bySmall(image, thorough);
  const second = zxing ? await byStrong(zxing, image) : [];
  // Letters beyond ASCII may be spelt differently by the two: of those only one's reading counts, or one code is two.
  const seen = new Set([...second, ...first.filter((text) => !second.length || /^[\x00-\x7f]*$/.test(text))]);
  if (seen.size) return [...seen];
  const ways = [
    () => smoothed(image, 1),
    () => smoothed(image, 2),
    () => scaled(image, 2),
    () => smoothed(scaled(image, 2), 2),
    () => scaled(image, 0.5),
  ];
  for (const way of thorough ? ways : [ways[turn % ways.length]]) {
    const other = way();
    (await bySmall(other, thorough)).forEach((text) => seen.add(text));
    if (zxing && !seen.size) {
      (await byStrong(zxing, other)).forEach((text) => seen.add(text));
      if (!seen.size) (await byStrong(zxing, other, { binarizer: 'GlobalHistogram' })).forEach((text) => seen.add(text));
    }
    if (seen.size) break;
  }
  return [...seen];
}

onmessage = async ({ data: asked }) => {
  const image = { width: asked.width, height: asked.height, data: new Uint8ClampedArray(asked.pixels) };
  const texts = await read(image, asked.thorough, asked.turn).catch(() => []);
  postMessage({ id: asked.id, texts });
};
