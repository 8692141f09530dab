# shellcheck shell=bash
# The servers that requests go to: local endpoints, and nginx, which is not ours and does next to
# nothing for a request.

# Servers have the first processor for themselves; sessions and their peers have the others. Else the
# system likes to put a server and its client, which wake each other, onto one processor, and what is
# measured is how they get in each other's way.
SERVERS_ON=()

divide_processors() {
	local last=$(($(nproc) - 1))

	[ "$last" -gt 0 ] || return 0
	SERVERS_ON=(taskset -c 0)
	taskset -cp "1-$last" $$ >/dev/null
}

# run_on PROCESSORS: what the server starts from now on
run_on() {
	taskset -cp "$1" "$(head -n 1 "$SCRATCH/data/postmaster.pid")" >/dev/null
}

# A certificate for localhost that is its own authority.
make_certificate() {
	as_user openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 \
		-subj /CN=localhost -addext subjectAltName=DNS:localhost,IP:127.0.0.1 \
		-keyout "$SCRATCH/key.pem" -out "$SCRATCH/cert.pem" 2>/dev/null
}

# ---- local endpoints --------------------------------------------------------------------------

# start_endpoint NAME OPTION...
start_endpoint() {
	local name=$1

	shift
	start_program "$name" "${SERVERS_ON[@]}" "$BUILD/emulator/iotdata-emulator" \
		--certificate "$SCRATCH/cert.pem" --key "$SCRATCH/key.pem" "$@"
	wait_until "the local endpoint did not start" grep -q '^ready' "$SCRATCH/$name.log"
}

# port NAME SCHEME: of a local endpoint
port() {
	sed -n "s/^$2 .*://p" "$SCRATCH/$1.log"
}

# url NAME SCHEME: of a local endpoint
url() {
	printf '%s://localhost:%s' "$2" "$(port "$1" "$2")"
}

# ---- nginx ------------------------------------------------------------------------------------
# Every client is connected, whatever its ID. Four doors:
#   $NGINX_HTTP, $NGINX_HTTPS    as fast as it can
#   $NGINX_QUOTA                 100 requests a second, and 100 at first
#   $NGINX_STATUS                a port: how many requests there were

# shellcheck disable=SC2034 # the figures use them
start_nginx() {
	local ports

	[ -z "${NGINX_HTTP:-}" ] || return 0
	mapfile -t ports < <(free_ports 4)
	NGINX_HTTP=http://127.0.0.1:${ports[0]}
	NGINX_HTTPS=https://127.0.0.1:${ports[1]}
	NGINX_QUOTA=http://127.0.0.1:${ports[2]}
	NGINX_STATUS=${ports[3]}
	as_user mkdir "$SCRATCH/nginx"
	nginx_configuration "${ports[@]}" | as_user tee "$SCRATCH/nginx/nginx.conf" >/dev/null
	start_program nginx "${SERVERS_ON[@]}" /usr/sbin/nginx -e "$SCRATCH/nginx/error.log" -p "$SCRATCH/nginx" -c nginx.conf
	wait_until "nginx did not start" nginx_requests
}

# free_ports COUNT: which nobody listens on. nginx cannot be asked to take any.
free_ports() {
	perl -MIO::Socket::INET -e '
		my @sockets = map { IO::Socket::INET->new(LocalAddr => "127.0.0.1", Listen => 1) or die $! } 1 .. shift;
		print $_->sockport, "\n" foreach @sockets;' "$1"
}

# "return" comes before limit_req, in the place where it stands: with a quota, the answer comes from
# a place of its own.
nginx_configuration() {
	cat <<-CONF
		daemon off;
		worker_processes 1;
		pid nginx.pid;
		events {
			worker_connections 1024;
		}
		http {
			access_log off;
			default_type application/json;
			keepalive_requests 1000000000;
			keepalive_timeout 1h;
			client_body_temp_path temp;
			proxy_temp_path temp;
			fastcgi_temp_path temp;
			uwsgi_temp_path temp;
			scgi_temp_path temp;
			ssl_certificate $SCRATCH/cert.pem;
			ssl_certificate_key $SCRATCH/key.pem;
			limit_req_zone \$server_port zone=quota:1m rate=100r/s;
			limit_req_status 429;
			log_format quota '\$msec \$status';

			server {
				listen 127.0.0.1:$1;
				listen 127.0.0.1:$2 ssl;
				location /connections/ {
					return 200 '$(connection_answer)';
				}
				location /things/ {
					return 200 '$(connection_answer)';
				}
			}
			server {
				listen 127.0.0.1:$3;
				access_log quota.log quota;
				error_page 429 @throttled;
				location /connections/ {
					limit_req zone=quota burst=99 nodelay;
					try_files /none @answer;
				}
				location @answer {
					return 200 '$(connection_answer)';
				}
				location @throttled {
					add_header x-amzn-ErrorType ThrottlingException always;
					return 429 '{"message":"Rate exceeded"}';
				}
			}
			server {
				listen 127.0.0.1:$4;
				location = /status {
					stub_status;
				}
			}
		}
	CONF
}

connection_answer() {
	printf '%s' '{"connected":true,"thingName":"bench","cleanSession":false,"keepAliveDuration":60,' \
		'"connectedSince":1750000000000,"sessionExpiry":3600,"clientId":"bench"}'
}

# How many requests it has had, this one included.
nginx_requests() {
	{
		printf 'GET /status HTTP/1.0\r\n\r\n' >&3
		awk '/^ *[0-9]+ [0-9]+ [0-9]+/ { print $3 }' <&3
	} 3<>"/dev/tcp/127.0.0.1/$NGINX_STATUS"
}
