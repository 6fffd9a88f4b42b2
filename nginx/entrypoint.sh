#!/bin/sh
# Renders the configuration from the environment and runs Nginx with it; reloads it when a certificate was renewed.
# Needs only sh, sed, openssl and nginx, so that tests can start the same script.
set -eu
here=$(cd "$(dirname "$0")" && pwd)

: "${WEB:=web:8000}"                  # the application
: "${SERVER_NAME:=localhost}"         # the domain of the certificate
: "${USE_S3_MEDIA:=0}"
: "${MEDIA_ROOT:=/data/media}"
: "${MAX_UPLOAD_MB:=4096}"
: "${TRUSTED_PROXIES:=}"              # load balancers in front, as addresses or networks
: "${CORS_ALLOWED_ORIGINS:=http://localhost:4200}"   # front ends of other origins
: "${CORS_ALLOW_CREDENTIALS:=1}"
: "${NGINX_TLS:=auto}"                # auto: once there is a certificate; on: at once, self-signed until then; off
: "${HTTP_LISTEN:=80}"
: "${HTTPS_LISTEN:=443}"
: "${HTTPS_PORT:=443}"                # the port that browsers use
: "${NGINX_RATE_ANY:=100}"            # requests a second and address
: "${NGINX_RATE_AUTH:=60}"            # sign-ins a minute and address
: "${LETSENCRYPT_DIR:=/etc/letsencrypt}"
: "${WEBROOT:=/var/www/certbot}"
: "${RUN_DIR:=/tmp/nginx}"
: "${MIME_TYPES:=/etc/nginx/mime.types}"
: "${CERTIFICATE_CHECK_SECONDS:=10}"
: "${NGINX_USER:=$(id -un 2>/dev/null || echo root)}"          # the user of the workers, when this runs as root

fail() { echo "nginx: $*" >&2; exit 1; }

# Every value is checked before it goes into the configuration: a stray character could become a directive.
plain() {
    case $2 in
        '' | *[!A-Za-z0-9.,:/_\[\]-]*) fail "$1 is '$2': only letters, digits and .,:/_-[] can be used." ;;
    esac
}
number() { case $2 in '' | *[!0-9]*) fail "$1 is '$2': set it to a whole number." ;; esac; }
for name in WEB SERVER_NAME MEDIA_ROOT HTTP_LISTEN HTTPS_LISTEN LETSENCRYPT_DIR WEBROOT RUN_DIR MIME_TYPES NGINX_USER; do
    eval "plain $name \"\$$name\""
done
for name in MAX_UPLOAD_MB HTTPS_PORT NGINX_RATE_ANY NGINX_RATE_AUTH; do eval "number $name \"\$$name\""; done
case $NGINX_TLS in auto | on | off) ;; *) fail "NGINX_TLS is '$NGINX_TLS': set it to auto, on or off." ;; esac
# `choose NAME value yes no`
choose() {
    case $(printf %s "$2" | tr '[:upper:]' '[:lower:]') in
        1 | true | yes | on) echo "$3" ;;
        0 | false | no | off | '') echo "$4" ;;
        *) fail "$1 is '$2': set it to 1 or 0." ;;
    esac
}
media=$(choose USE_S3_MEDIA "$USE_S3_MEDIA" s3 local)
credentials=$(choose CORS_ALLOW_CREDENTIALS "$CORS_ALLOW_CREDENTIALS" true '')

user=
[ "$(id -u)" = 0 ] && user="user $NGINX_USER;"
mkdir -p "$RUN_DIR/snippets" "$WEBROOT"

# --- Certificates ----------------------------------------------------------------------------------------------------

# The certificate is named after the first of several names.
SERVER_NAME=${SERVER_NAME%%,*}
real="$LETSENCRYPT_DIR/live/$SERVER_NAME"
has_real() { [ -s "$real/fullchain.pem" ] && [ -s "$real/privkey.pem" ]; }

# Browsers rightly warn of this certificate: it only lets Nginx start before there is a real one.
make_stand_in() {
    [ -s "$RUN_DIR/stand-in.crt" ] && return
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 30 -subj "/CN=$SERVER_NAME" \
        -addext "subjectAltName=DNS:$SERVER_NAME" -keyout "$RUN_DIR/stand-in.key" -out "$RUN_DIR/stand-in.crt" \
        2>/dev/null || fail "openssl cannot make a certificate."
}

# Changes with the certificate, and with the address of the application, which Nginx looks up only when it is loaded.
fingerprint() {
    { has_real && cksum "$real/fullchain.pem" "$real/privkey.pem"; getent hosts "${WEB%:*}"; } 2>/dev/null | cksum
}

# --- Rendering -------------------------------------------------------------------------------------------------------

# `each NAME values before after`: a line for each of the values.
each() {
    echo "$2" | tr ', ' '\n\n' | while read -r one; do
        [ -z "$one" ] && continue
        plain "$1" "$one"
        echo "$3$one$4;"
    done
}

https_server() {
    cat <<SERVER
    server {
        listen $HTTPS_LISTEN ssl http2;
        include snippets/always.conf;
        ssl_certificate $1;
        ssl_certificate_key $2;
        include snippets/tls.conf;
        include snippets/site.conf;
    }
SERVER
}

redirect() {
    port=":$HTTPS_PORT"
    [ "$HTTPS_PORT" = 443 ] && port=
    # To the host of the request, without its port: several names may lead here.
    echo "        location / { return 308 https://\$host$port\$request_uri; }"
}

render() {
    certificate= key= hsts=
    if [ "$NGINX_TLS" != off ] && has_real; then
        certificate="$real/fullchain.pem" key="$real/privkey.pem"
    elif [ "$NGINX_TLS" = on ]; then
        make_stand_in
        certificate="$RUN_DIR/stand-in.crt" key="$RUN_DIR/stand-in.key"
    fi
    each TRUSTED_PROXIES "$TRUSTED_PROXIES" "    set_real_ip_from " "" >"$RUN_DIR/trusted"
    each TRUSTED_PROXIES "$TRUSTED_PROXIES" "        " " 1" >"$RUN_DIR/trusted_schemes"
    each CORS_ALLOWED_ORIGINS "$CORS_ALLOWED_ORIGINS" '        "' '" $http_origin' >"$RUN_DIR/origins"
    if [ -n "$certificate" ]; then
        https_server "$certificate" "$key" >"$RUN_DIR/https"
        redirect >"$RUN_DIR/http"
        has_real && hsts='add_header Strict-Transport-Security "max-age=31536000" always;'
    else
        : >"$RUN_DIR/https"
        echo "        include snippets/site.conf;" >"$RUN_DIR/http"
    fi
    for file in "$here"/snippets/*.conf; do
        sed -e "s|@MEDIA@|$media|g" -e "s|@MEDIA_ROOT@|$MEDIA_ROOT|g" -e "s|@UPLOAD_MB@|$((MAX_UPLOAD_MB + 1))|g" \
            -e "s|@HSTS@|$hsts|g" "$file" >"$RUN_DIR/snippets/${file##*/}"
    done
    sed -e "/^@TRUSTED_PROXIES@/{r $RUN_DIR/trusted
d}" -e "/^@TRUSTED_SCHEMES@/{r $RUN_DIR/trusted_schemes
d}" -e "/^@CORS_ORIGINS@/{r $RUN_DIR/origins
d}" -e "/^@HTTP_SITE@/{r $RUN_DIR/http
d}" -e "/^@HTTPS_SERVER@/{r $RUN_DIR/https
d}" -e "s|@CORS_CREDENTIALS@|$credentials|g" -e "s|@USER@|$user|g" -e "s|@RUN_DIR@|$RUN_DIR|g" -e "s|@MIME_TYPES@|$MIME_TYPES|g" -e "s|@WEB@|$WEB|g" -e "s|@WEBROOT@|$WEBROOT|g" \
        -e "s|@HTTP_LISTEN@|$HTTP_LISTEN|g" -e "s|@RATE_ANY@|$NGINX_RATE_ANY|g" -e "s|@RATE_AUTH@|$NGINX_RATE_AUTH|g" \
        "$here/nginx.conf.in" >"$RUN_DIR/nginx.conf"
}

check() { nginx -p "$RUN_DIR" -c "$RUN_DIR/nginx.conf" -e stderr -t -q; }

# --- Running ---------------------------------------------------------------------------------------------------------

render
check || fail "the configuration is not accepted, see above."
[ "${1:-}" = test ] && exit 0

seen=$(fingerprint)
# Not in a function, so that $! is Nginx itself, which gets the signals below.
nginx -p "$RUN_DIR" -c "$RUN_DIR/nginx.conf" -e stderr &
nginx=$!
# QUIT lets Nginx finish the answers under way.
trap 'kill -QUIT $nginx 2>/dev/null' TERM INT QUIT
while kill -0 $nginx 2>/dev/null; do
    sleep "$CERTIFICATE_CHECK_SECONDS" &
    wait $! 2>/dev/null || true
    now=$(fingerprint)
    if [ "$now" != "$seen" ]; then
        seen=$now
        # With a certificate that does not fit its key, Nginx keeps the old one.
        render && check && kill -HUP $nginx && echo "nginx: the certificate or the address of web has changed, reloaded." >&2
    fi
done
wait $nginx
