#!/bin/sh
# Gets and renews the certificate by webroot: `certbot.sh bootstrap` once, `certbot.sh renew` in a loop.
# Nginx (entrypoint.sh) serves the proof, and notices a new certificate by itself.
set -eu

: "${SERVER_NAME:=}"                 # the domain; further names after it, separated by commas
: "${CERTBOT_EMAIL:=}"               # the address for warnings of the authority
: "${ACME_SERVER:=https://acme-v02.api.letsencrypt.org/directory}"
: "${LETSENCRYPT_DIR:=/etc/letsencrypt}"
: "${WEBROOT:=/var/www/certbot}"
: "${RENEW_EVERY_SECONDS:=43200}"    # checked twice a day, renewed when a third of its lifetime is left

fail() { echo "certbot: $*" >&2; exit 1; }
run_certbot() {
    certbot "$@" --non-interactive --server "$ACME_SERVER" --config-dir "$LETSENCRYPT_DIR" \
        --work-dir "$LETSENCRYPT_DIR/work" --logs-dir "$LETSENCRYPT_DIR/logs"
}

case ${1:-} in
    bootstrap)
        [ -n "$SERVER_NAME" ] || fail "SERVER_NAME is not set: set it to the domain that leads here."
        case $SERVER_NAME in
            *.*) ;;
            *) fail "SERVER_NAME is '$SERVER_NAME': authorities certify domains such as videos.example.com." ;;
        esac
        if [ -n "$CERTBOT_EMAIL" ]; then
            contact="--email $CERTBOT_EMAIL"
        else
            contact=--register-unsafely-without-email
        fi
        # shellcheck disable=SC2086 # two words
        run_certbot certonly --webroot -w "$WEBROOT" -d "$SERVER_NAME" --cert-name "${SERVER_NAME%%,*}" --expand \
            --agree-tos $contact --keep-until-expiring
        echo "certbot: the certificate of ${SERVER_NAME%%,*} is there; Nginx takes it up within seconds." >&2
        ;;
    renew)
        trap 'exit 0' TERM INT
        while :; do
            # A failure is tried again next time: the old certificate has a third of its lifetime left.
            run_certbot renew --webroot -w "$WEBROOT" --no-random-sleep-on-renew ${CERTBOT_OPTIONS:-} ||
                echo "certbot: renewing failed, see above; the next try is in $RENEW_EVERY_SECONDS s." >&2
            [ "${2:-}" = once ] && exit 0
            sleep "$RENEW_EVERY_SECONDS" &
            wait $!
        done
        ;;
    *) fail "say bootstrap or renew." ;;
esac
