// Uppy as another site would use it: the platform signs every request of its S3 plug-in, and its Golden Retriever goes
// on with an upload after a reload. The tests drive it by `window.uppy`.

import AwsS3 from "@uppy/aws-s3";
import Uppy from "@uppy/core";
import GoldenRetriever from "@uppy/golden-retriever";

const ROUTE = "/api/v1/upload/videos";
const PART_BYTES = 5 * 1024 ** 2;
const MOST_BYTES = 1024 ** 3;

async function post(route, body) {
  const response = await fetch(`${ROUTE}/${route}/`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
  });
  if (!response.ok) throw new Error(`${route}: ${response.status} ${await response.text()}`);
  return response.json();
}

const uppy = new Uppy({ id: "films" })
  .use(AwsS3, {
    shouldUseMultipart: true,
    getChunkSize: () => PART_BYTES,
    signRequest: (request) => post("sign", request),
  })
  // By default it keeps files of up to 10 MB; larger ones would have to be chosen again after a reload.
  .use(GoldenRetriever, { serviceWorker: false, indexedDB: { maxFileSize: MOST_BYTES, maxTotalSize: MOST_BYTES } });

uppy.on("upload-success", async (file, { body }) => {
  window.film = await post("metadata", { title: file.meta.name, video_s3_key: body.key });
});
uppy.on("upload-error", (_, error) => {
  window.problem = String(error);
});
uppy.on("restored", () => {
  window.isRestored = true;
});
document.getElementById("file").addEventListener("change", ({ target }) => {
  const [file] = target.files;
  uppy.addFile({ name: file.name, type: file.type, data: file });
  uppy.upload();
});

window.uppy = uppy;
