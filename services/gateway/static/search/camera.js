/** A dialog that takes a photo with the camera. */

import { h } from "../shared/dom.js";
import { icon } from "../shared/icons.js";

/** @import { Strings } from "../types.js" */

/** Whether the page can show the camera's picture. Browsers allow it on https and localhost only. */
export const hasLiveCamera = () => Boolean(navigator.mediaDevices?.getUserMedia);

/** Ask for a photo. @param {Strings} t @returns {Promise<Blob|null>} null if the visitor cancels */
export function takePhoto(t) {
  return new Promise((resolve) => {
    const { dialog, video, status, snap } = cameraDialog(t);
    /** @type {MediaStream|null} */
    let stream = null;
    /** @type {Blob|null} */
    let photo = null;
    dialog.addEventListener("close", () => {
      stop(stream);
      stream = null;
      dialog.remove();
      resolve(photo);
    });
    snap.addEventListener("click", async () => {
      photo = await grabFrame(video);
      dialog.close();
    });
    document.body.append(dialog);
    dialog.showModal();
    start(video).then(
      (opened) => {
        if (!dialog.open) return stop(opened);
        stream = opened;
        status.hidden = true;
        snap.disabled = false;
        snap.focus();
      },
      (error) => {
        status.textContent = errorText(error, t);
      },
    );
  });
}

/** @param {Strings} t */
function cameraDialog(t) {
  const video = h("video", {
    class: "camera-video",
    muted: true,
    playsInline: true,
    autoplay: true,
    "aria-label": t.camera.video,
  });
  const status = h("p", { class: "camera-status", role: "status" }, t.camera.waiting);
  const snap = h("button", { class: "button primary", type: "button", disabled: true }, icon("camera"), t.camera.snap);
  const cancel = h("button", { class: "button", type: "button" }, t.camera.cancel);
  const dialog = h(
    "dialog",
    { class: "camera", "aria-labelledby": "camera-title" },
    h("h2", { id: "camera-title" }, t.camera.title),
    h("div", { class: "camera-frame" }, video, status),
    h("div", { class: "row end" }, cancel, snap),
  );
  cancel.addEventListener("click", () => dialog.close());
  return { dialog, video, status, snap };
}

/** @param {HTMLVideoElement} video */
async function start(video) {
  const stream = await navigator.mediaDevices.getUserMedia({
    video: { facingMode: "environment", width: { ideal: 1600 } },
    audio: false,
  });
  video.srcObject = stream;
  await video.play();
  return stream;
}

/** @param {MediaStream|null} stream */
function stop(stream) {
  for (const track of stream?.getTracks() ?? []) track.stop();
}

/** @param {unknown} error of getUserMedia @param {Strings} t */
function errorText(error, t) {
  const name = error instanceof DOMException ? error.name : "";
  if (name === "NotAllowedError") return t.camera.denied;
  return name === "NotReadableError" ? t.camera.busy : t.camera.none;
}

/** @param {HTMLVideoElement} video @returns {Promise<Blob|null>} */
function grabFrame(video) {
  const canvas = h("canvas");
  canvas.width = video.videoWidth;
  canvas.height = video.videoHeight;
  canvas.getContext("2d")?.drawImage(video, 0, 0);
  return new Promise((resolve) => canvas.toBlob(resolve, "image/jpeg", 0.92));
}
