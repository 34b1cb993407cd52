/* A card's QR in front of the camera, where the browser can read one; the code can always be typed. */
"use strict";

async function scan() {
  const camera = at("camera");
  const video = camera.querySelector("video");
  let stream;
  try {
    stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } });
  } catch {
    tell(words("e_camera"));
    return;
  }
  const stop = () => { stream.getTracks().forEach((track) => track.stop()); camera.hidden = true; };
  at("stop").onclick = stop;
  camera.hidden = false;
  video.srcObject = stream;
  await video.play();
  const detector = new BarcodeDetector({ formats: ["qr_code"] });
  while (!camera.hidden) {
    const [seen] = await detector.detect(video).catch(() => []);
    if (seen) {
      stop();
      document.getElementById("f-q").value = seen.rawValue;
      const found = showFound();
      if (found.length === 1) choose(found[0]);
      return;
    }
    await new Promise((resolve) => setTimeout(resolve, 150));
  }
}
