#!/bin/sh
# Writes the images of the compose files into .env with their digests: from then on exactly these are used, even when
# their tags move. Run it again to get newer ones; remove its lines to follow the tags again.
set -eu
cd "$(dirname "$0")/.."

lines=$(mktemp)
trap 'rm -f "$lines"' EXIT
# In the compose files an image is written `${REDIS_IMAGE:-redis:7-bookworm}`.
sed -n 's/.*\${\([A-Z]*_IMAGE\):-\([^}]*\)}.*/\1 \2/p' docker-compose.yml docker-compose.dev.yml | sort -u |
    while read -r name image; do
        # The digest of the list for all architectures, where there is one, so that it fits every machine.
        digest=$(docker buildx imagetools inspect --format '{{.Manifest.Digest}}' "$image" </dev/null) || digest=
        case $digest in
            sha256:*) echo "$name=$image@$digest" ;;
            *) echo "The digest of $image could not be found out; nothing was changed." >&2 && exit 1 ;;
        esac
    done >"$lines"

# Written into the same file, which keeps its owner and mode; a new file is readable for its owner only.
umask 077
touch .env
awk -F= '
    NR == FNR { pinned[$1] = $0; next }
    $1 in pinned { print pinned[$1]; delete pinned[$1]; next }
    { print }
    END { for (name in pinned) print pinned[name] }
' "$lines" .env >.env.pinned
cat .env.pinned >.env
rm .env.pinned
cat "$lines"
