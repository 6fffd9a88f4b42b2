# ruff: noqa: E501 - a table
"""From an uploaded file to HLS and DASH, in plain Python: no Django, no queue, no database.

| Stage   | Decided by (pure functions)               | Done by (effects)                           | State of the video after |
|---------|-------------------------------------------|---------------------------------------------|--------------------------|
| upload  | the caller: who may upload what           | form, tus, or browser → S3 by signed parts  | `uploading` → `pending`; job enqueued on commit |
| probe   | `sources.source.parse_probe`              | `probe`: PyAV in a limited child process    | `processing` (claimed before) |
| plan    | `planning.plan.plan_encode` → one frozen `EncodePlan` | nothing                         | |
| encode  | `planning.ffmpeg_args`                    | one ffmpeg: one decode, every rung; a second, short run for subtitles | not playable yet |
| package | `packaging.playlists`, `packaging.caption_files`, `pictures.poster`, `planning.storyboard` | `packaging.package`: rungs muxed, playlists written; `packaging.verify` reads all of it back | |
| publish | `layout` (object keys of a version)       | `packaging.publish`: objects stored, master playlist last; the caller switches to the version in one transaction | `ready` with `Rendition` rows, or `error` with a sentence for people |
| play    | the caller: `may_watch`                   | signed playlist; byte ranges checked at the edge | |

A video is playable when all of its version is stored. `pipeline.process` runs probe to package and verifies the result,
`packaging.publish.publish` stores it; the caller owns the state of the video and decides on retries.
"""
