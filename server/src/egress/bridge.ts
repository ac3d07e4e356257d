/*
 * What programs of a sandbox need to find the proxy: a port of their own loopback that leads to the relay's socket. A
 * sandbox has a network of its own, so the number is always the same and nobody else's.
 */

const PORT = 8118;

const PERL = String.raw`use strict; use Socket;
my ($path, $port) = @ARGV;
$SIG{CHLD} = "IGNORE"; $SIG{PIPE} = "IGNORE";
socket(my $server, PF_INET, SOCK_STREAM, 0) or exit 1;
setsockopt($server, SOL_SOCKET, SO_REUSEADDR, 1);
bind($server, sockaddr_in($port, INADDR_LOOPBACK)) && listen($server, 64) or exit 1;
my $apart = fork; exit 1 unless defined $apart; exit 0 if $apart;
sub copy { my ($from, $to) = @_;
  while (my $n = sysread($from, my $data, 65536)) {
    for (my $at = 0; $at < $n;) { my $w = syswrite($to, $data, $n - $at, $at); last unless defined $w; $at += $w }
  }
  shutdown($to, 1); shutdown($from, 0); exit 0 }
while (1) {
  accept(my $client, $server) or next;
  my $one = fork; if (!defined $one || $one) { close $client; next }
  close $server;
  my $out; socket($out, PF_UNIX, SOCK_STREAM, 0) && connect($out, sockaddr_un($path)) or exit 1;
  my $other = fork; exit 1 unless defined $other;
  $other ? copy($client, $out) : copy($out, $client);
}`;

const PYTHON = String.raw`import os, socket, sys, threading
server = socket.socket(); server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
server.bind(("127.0.0.1", int(sys.argv[2]))); server.listen(64)
if os.fork(): os._exit(0)
def copy(source, to):
    try:
        while True:
            data = source.recv(65536)
            if not data: break
            to.sendall(data)
    except OSError: pass
    for end, how in ((to, socket.SHUT_WR), (source, socket.SHUT_RD)):
        try: end.shutdown(how)
        except OSError: pass
def serve(client):
    try:
        out = socket.socket(socket.AF_UNIX); out.connect(sys.argv[1])
    except OSError:
        client.close(); return
    other = threading.Thread(target=copy, args=(out, client)); other.start()
    copy(client, out); other.join(); client.close(); out.close()
while True: threading.Thread(target=serve, args=(server.accept()[0],), daemon=True).start()`;

/**
 * `SOCKET PORT ARGV...` becomes ARGV, with the bridge beside it where the sandbox has anything that can be one. It listens
 * before ARGV begins, and holds none of its files.
 */
const BRIDGE = `socket=$1 port=$2
shift 2
if [ -S "$socket" ]; then
  if command -v perl >/dev/null; then
    perl -e "$SANDPIPER_PERL" "$socket" "$port"
  elif command -v python3 >/dev/null; then
    python3 -c "$SANDPIPER_PYTHON" "$socket" "$port"
  elif command -v socat >/dev/null; then
    socat "TCP-LISTEN:$port,bind=127.0.0.1,reuseaddr,fork" "UNIX-CONNECT:$socket" &
  fi </dev/null >/dev/null 2>&1
fi
unset SANDPIPER_PERL SANDPIPER_PYTHON
exec "$@"`;

/** A program with its arguments and environment. */
export interface Launch {
  argv: readonly string[];
  env: Readonly<Record<string, string>>;
}

/** The same program with a way to the proxy at `socket`, a path inside the sandbox. */
export function withBridge({ argv, env }: Launch, socket: string): Launch {
  return {
    argv: ['/bin/sh', '-c', BRIDGE, 'sandpiper-bridge', socket, String(PORT), ...argv],
    env: { ...proxyEnvironment(env['NO_PROXY']), ...env, SANDPIPER_PERL: PERL, SANDPIPER_PYTHON: PYTHON },
  };
}

/** What tools look at. Names that lead to the sandbox itself, or to the model, are no business of the proxy. */
function proxyEnvironment(others: string | undefined): Record<string, string> {
  const proxy = `http://127.0.0.1:${PORT}`;
  const none = ['localhost', '127.0.0.1', '::1', 'model.sandpiper.invalid', ...(others === undefined ? [] : [others])];
  return {
    HTTP_PROXY: proxy,
    HTTPS_PROXY: proxy,
    http_proxy: proxy,
    https_proxy: proxy,
    NO_PROXY: none.join(','),
    no_proxy: none.join(','),
    NODE_USE_ENV_PROXY: '1',
    // git asks github.com by http://, which the proxy makes https and lets only read; without a rule it is refused either way.
    GIT_CONFIG_COUNT: '1',
    GIT_CONFIG_KEY_0: 'url.http://github.com/.insteadOf',
    GIT_CONFIG_VALUE_0: 'https://github.com/',
  };
}
