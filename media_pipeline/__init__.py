# ruff: noqa: E501 - a table
"""From a file to HLS and DASH, in plain Python: no Django, no queue, no database.

| Stage   | Decided by (pure functions)               | Done by (effects)                           | State of the video after |
|---------|-------------------------------------------|---------------------------------------------|--------------------------|
| upload  | who may upload what                       | form, tus, or browser → S3 by signed parts  | `uploading` → `pending`; job enqueued on commit |
| probe   | `sources.source.parse_probe`              | PyAV in a limited child process             | `processing` (claimed) |
| plan    | `planning.plan.plan_encode` → one frozen `EncodePlan` | nothing                         | |
| encode  | `planning.ffmpeg_args`                    | one ffmpeg: one decode, every rung          | |
| package | `packaging.playlists`, `packaging.captions`, `pictures.poster`, `planning.storyboard` | rungs muxed, playlists written, all verified | |
| publish | `layout` (object keys of a version)       | objects stored, master playlist last        | `ready` with `Rendition` rows, or `error` with a reason a person can read |
| play    | `may_watch`                               | signed playlist; byte ranges checked at the edge | |

`pipeline.process` runs probe to package, `packaging.publish.publish` stores the result; the caller owns state and retries.
"""
