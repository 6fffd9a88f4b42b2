# ruff: noqa: E501 - a table
"""From a file to HLS, in plain Python: no Django, no queue, no database.

| Stage   | Decided by (pure functions)               | Done by (effects)                           | State of the video after |
|---------|-------------------------------------------|---------------------------------------------|--------------------------|
| upload  | who may upload what                       | admin form or API                           | `uploading` → `pending`; job enqueued on commit |
| probe   | `source.parse_probe`                      | PyAV in a limited child process             | `processing` (claimed) |
| plan    | `plan_ladder`, `plan_chunks` → one frozen `EncodePlan` | nothing                        | |
| encode  | `ffmpeg.args`                             | ffmpeg, one process per chunk: one decode, every rung | |
| package | `mp4`, `playlists`, `captions`, `poster`, `storyboard` | rungs muxed, playlists written, all verified | |
| publish | `layout` (object keys of a version)       | objects stored, master playlist last        | `ready` with `Rendition` rows, or `error` with a reason a person can read |
| play    | `may_watch`                               | signed playlist; byte ranges checked at the edge | |

`pipeline.process` runs probe to package, `publish.publish` stores the result; the caller owns state and retries.
"""
