#!/bin/sh
# A walk through the service by somebody who knows nothing of Python: curl, a WebSocket command line, redis-cli.
#
#     sh examples/walk.sh                        a book of its own in a folder that goes away
#     REDIS_SOCKET=/run/redis.sock sh examples/walk.sh     with events over Redis
#     BOOK=postgresql://… sh examples/walk.sh    a book in a database that is empty
#
# BURSAR, PYTHON, CURL and REDIS_CLI may name the programs. It ends with "walked" and 0, or stops where it fell.
set -eu
PYTHON=${PYTHON:-python3}
BURSAR=${BURSAR:-$PYTHON -m bursar.cli}
CURL=${CURL:-curl}
REDIS_CLI=${REDIS_CLI:-redis-cli}

here=$(mktemp -d)
cd "$here"
trap 'kill "$service" 2>/dev/null || true; wait 2>/dev/null || true; rm -rf "$here"' EXIT
service=

say() { printf '\n== %s\n' "$*"; }
has() { # has TEXT PATTERN: the pattern is in the text
    case $1 in *$2*) ;; *) printf 'expected %s in: %s\n' "$2" "$1" >&2; exit 1 ;; esac
}

say 'a token, and a service on a free port'
{
    printf 'portfolio:\n  book: "%s"\n' "${BOOK:-bursar.db}"
    if [ -n "${REDIS_SOCKET:-}" ]; then printf '  redis_socket: "%s"\n' "$REDIS_SOCKET"; fi
} >desk.yaml
token=$($BURSAR token new walker --scope write --config desk.yaml --quiet 2>/dev/null | tail -n 1)
$BURSAR serve --config desk.yaml --port 0 --json >address 2>log &
service=$!
while ! grep -q '}' address; do kill -0 "$service" || { cat log >&2; exit 1; }; sleep 0.2; done
url=$(sed -n 's/.*"url": "\(.*\)".*/\1/p' address)
get() { $CURL -sS --fail-with-body -H "Authorization: Bearer $token" "$url$1"; }
post() { # post ROUTE KEY BODY
    $CURL -sS -H "Authorization: Bearer $token" -H "Idempotency-Key: $2" \
        -H 'Content-Type: application/json' -d "$3" "$url/api/portfolio/$1"
}

say 'health, without and with the token'
has "$($CURL -sS "$url/health")" '"status":"ok"'
has "$($CURL -sS "$url/api/portfolio/snapshot")" token_needed
get /health; echo

say 'money comes in, coins are bought; the same key twice is once'
has "$(post entries d1 '{"verb": "deposit", "quantity": "10000", "what": "USD", "time": "2026-01-05"}')" '"written":true'
has "$(post entries d1 '{"verb": "deposit", "quantity": "10000", "what": "USD", "time": "2026-01-05"}')" '"repeated":true'
has "$(post entries b1 '{"verb": "buy", "quantity": "0.1", "what": "BTC/USD", "price": "40000.10", "time": "2026-01-06"}')" '"written":true'
has "$(post entries b1 '{"verb": "buy", "quantity": "9", "what": "BTC/USD", "price": "1"}')" key_reused

say 'a transaction commits, another does not hold'
has "$(post transactions t1 '{"previous_equity": "10000", "cash": {"delta": "-10", "fees": "0.5"}, "validation_epsilon": "50", "mark_prices": {"BTC": 40000.10}}')" '"written":true'
has "$(post transactions t2 '{"previous_equity": "1", "cash": {"delta": "-10"}, "mark_prices": {"BTC": 40000.10}}')" '"valid":false'

say 'corrections: a price, whose trade it was, a move to a wallet of your own, something taken back'
bought=$(get '/api/portfolio/trades' | sed -n 's/.*"trade_id":"\([^"]*\)".*/\1/p')
id_of() { sed -n 's/.*"id":"\([^"]*\)".*/\1/p'; }
has "$(post prices p1 '{"asset": "BTC", "time": "2026-01-08", "price": "41000.5"}')" '"written":true'
has "$(post tags g1 "{\"id\": \"$bought\", \"strategy\": \"swing\"}")" '"written":true'
has "$(get '/api/portfolio/trades?strategy=swing')" "$bought"
out=$(post entries l1 '{"verb": "withdrawal", "quantity": "0.01", "what": "BTC", "time": "2026-01-09"}' | id_of)
back=$(post entries l2 '{"verb": "deposit", "quantity": "0.01", "what": "BTC", "time": "2026-01-10", "account": "cold:wallet"}' | id_of)
has "$(post links l3 "{\"one\": \"$out\", \"other\": \"$back\"}")" '"written":true'
gone=$(post entries r1 '{"verb": "withdrawal", "quantity": "1", "what": "USD", "time": "2026-01-11"}' | id_of)
has "$(post reversals r2 "{\"id\": \"$gone\"}")" '"written":true'
has "$(post breaks k1 '{"account": "kraken:main", "id": "none"}')" break_not_found

say 'what to trade for other weights'
has "$(post rebalance-plan x '{"target_weights": {"BTC": 0.2}}')" '"action":"SELL"'

say 'the contract'
for view in snapshot pnl exposure drawdown; do get "/api/portfolio/$view?decimals=number"; echo; done
for more in equity positions balances trades cash-flows open-trades closed-trades transactions holdings allocation breaks \
    fees snapshots closes history performance risk heatmap strategies report drift; do
    get "/api/portfolio/$more" >/dev/null; printf '%s ' "$more"
done
echo
get '/api/portfolio/why?figure=equity' | head -c 300; echo
get '/api/portfolio/export?format=hledger' | head -n 3
has "$($CURL -sS -H "Authorization: Bearer $token" "$url/api/portfolio/decision")" '"'   # of capital, where one was made
has "$(get /openapi.json)" '"/api/portfolio/snapshot"'

say 'not sent again when nothing has changed'
tag=$($CURL -sS -D - -o /dev/null -H "Authorization: Bearer $token" "$url/api/portfolio/fees" | sed -n 's/^[Ee][Tt]ag: \(.*\)\r$/\1/p')
[ "$($CURL -sS -o /dev/null -w '%{http_code}' -H "Authorization: Bearer $token" -H "If-None-Match: $tag" "$url/api/portfolio/fees")" = 304 ]
echo "304 for $tag"

say 'WebSocket: everything first, by a command line of its own'
ws=$(printf 'ws%s/ws/portfolio' "${url#http}")
heard=$( (printf '{"type": "auth", "token": "%s"}\n' "$token"; sleep 3) | $PYTHON -m websockets "$ws" 2>&1 | head -c 400 || true)
has "$heard" portfolio.snapshot
echo "$heard" | head -c 200; echo

if [ -n "${REDIS_SOCKET:-}" ]; then
    say 'events over Redis: a trade and a tick in, states out'
    redis() { $REDIS_CLI -s "$REDIS_SOCKET" "$@"; }
    redis XADD bursar:in '*' type trade.opened source walk data \
        '{"trade_id": "7", "symbol": "ETHUSDT", "side": "LONG", "entry_price": 2000.0, "quantity": 0.5, "timestamp": "2026-01-07T10:00:00Z"}'
    redis XADD bursar:in '*' type trade.closed source walk data \
        '{"trade_id": "7", "symbol": "ETHUSDT", "side": "LONG", "exit_price": 2100.0, "quantity": 0.5, "realized_pnl": 50.0, "timestamp": "2026-01-07T12:00:00Z"}'
    redis XADD bursar:in '*' type order.executed source walk data '{"order_id": 991, "symbol": "ETHUSDT"}'
    redis XADD bursar:in '*' type ess.tripped source walk data '{"reason": "a drill", "level": "critical"}'
    redis XADD bursar:in '*' type market.tick source walk data '{"symbol": "BTC/USD", "price": 50000.5}'
    for _ in $(seq 40); do
        told=$(redis XRANGE bursar:out:main - +)
        case $told in *position.closed*50000.5*) break ;; esac
        sleep 0.5
    done
    has "$told" portfolio.committed
    for type in portfolio.snapshot_updated portfolio.pnl_updated portfolio.drawdown_updated portfolio.exposure_updated; do
        has "$told" "$type"
    done
    has "$told" position.opened
    has "$told" position.closed
    has "$(get /api/portfolio/closed-trades)" '"exit_price":2100'
    has "$(get '/api/portfolio/snapshot?decimals=number')" 50000.5
    echo 'heard and told'
fi

say 'metrics, and a stop'
get /metrics | grep '^bursar_portfolio_version'
since=$(date +%s)
kill "$service"
wait "$service"
[ $(($(date +%s) - since)) -le 5 ]
echo walked
