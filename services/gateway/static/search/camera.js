/** A photo from the camera: a dialog with the live picture, or the phone's own camera app where the browser has no other way. */

import { h } from "../shared/dom.js";
import { icon } from "../shared/icons.js";

/** Whether the page itself can show the camera's picture. Browsers allow it on https and localhost only. */
export const hasLiveCamera = () => Boolean(navigator.mediaDevices?.getUserMedia);

/**
 * Ask for a photo. @param {any} t the words
 * @returns {Promise<Blob|null>} null when it was cancelled
 */
export function takePhoto(t) {
  return new Promise((resolve) => {
    const video = h("video", {
      class: "camera-video",
      muted: true,
      playsInline: true,
      autoplay: true,
      "aria-label": t.camera.video,
    });
    const status = h("p", { class: "camera-status", role: "status" }, t.camera.waiting);
    const snap = h(
      "button",
      { class: "button primary", type: "button", disabled: true },
      icon("camera"),
      t.camera.snap,
    );
    const cancel = h(
      "button",
      { class: "button", type: "button", on: { click: () => dialog.close() } },
      t.camera.cancel,
    );
    const dialog = h(
      "dialog",
      { class: "camera", "aria-labelledby": "camera-title" },
      h("h2", { id: "camera-title" }, t.camera.title),
      h("div", { class: "camera-frame" }, video, status),
      h("div", { class: "row end" }, cancel, snap),
    );
    let stream = null;
    let photo = null;
    dialog.addEventListener("close", () => {
      stop(stream);
      stream = null;
      dialog.remove();
      resolve(photo);
    });
    snap.addEventListener("click", async () => {
      photo = await frame(video);
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
        status.textContent = t.camera[{ NotAllowedError: "denied", NotReadableError: "busy" }[error.name] ?? "none"];
      },
    );
  });
}

async function start(video) {
  const stream = await navigator.mediaDevices.getUserMedia({
    video: { facingMode: "environment", width: { ideal: 1600 } },
    audio: false,
  });
  video.srcObject = stream;
  await video.play();
  return stream;
}

const stop = (stream) =>
  stream?.getTracks().forEach((track) => {
    track.stop();
  });

function frame(video) {
  const canvas = h("canvas");
  canvas.width = video.videoWidth;
  canvas.height = video.videoHeight;
  canvas.getContext("2d").drawImage(video, 0, 0);
  return new Promise((resolve) => canvas.toBlob(resolve, "image/jpeg", 0.92));
}
