// A film as a stream in a <video>: hls.js where Media Source Extensions exist, the browser's own HLS elsewhere (iOS).

import { HlsStream } from "./hlsstream.js";
import { NativeStream } from "./nativestream.js";

/** `listener`: see stream.js */
export function openStream(video, url, position, listener) {
  const Kind = window.Hls?.isSupported() ? HlsStream : NativeStream;
  const stream = new Kind(video, url, listener);
  stream.open(position);
  return stream;
}
