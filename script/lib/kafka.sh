# shellcheck shell=bash
# Private Kafka brokers: one node that is its own controller (KRaft), own data folder, loopback only.
#
#   kafka_fetch                 puts the jars of kafka/pom.xml into build/kafka/libs unless they are there
#   jars_fetch POM LIBS         puts those of any POM into LIBS, a folder of its own folder
#   kafka_init DIR [--port N] [--sasl]    makes a broker's folder unless it is there; DIR is absolute
#   kafka_start DIR [-c name=value ...]   starts it, waits until it answers; a running one is fine
#   kafka_stop DIR              SIGTERM, waits until it has gone; no broker running is fine
#   kafka_kill DIR              the same with kill -9
#   kafka_destroy DIR           kills it and removes DIR
#   kafka_pid DIR               prints the pid of the broker that runs in DIR, fails when none does
#   kafka_address DIR           prints 127.0.0.1:PORT, whether it runs or not
#   kafka_topics DIR PARTITIONS NAME...   makes those that are not there, prints each it made
#   kafka_tool CLASS ARG...     runs one of Kafka's own tools (org.apache.kafka.tools.TopicCommand, ...)
#
# A broker keeps its ports for as long as DIR is there: one that was killed comes back at the same address.
# DIR holds server.properties, address, data/, broker.log, pid. With --sasl there is a second listener, TLS
# with PLAIN or SCRAM-SHA-256, and DIR/sasl holds what a client needs: address, user, password, ca.pem.
#
# Topics are made; none appears by being asked for. Kafka writes to the page cache and leaves the disk to the
# kernel: kill -9 loses nothing that was acknowledged, a power cut can (-c log.flush.interval.messages=1).
#
# AUREN_KAFKA_JVM replaces the JVM's flags, which are for tests: small, quick to start, slow under load.
#
# REQUIRES: common.sh, cluster.sh. Kafka does not mind root: it runs as whoever starts it.

KAFKA_LIBS=$AUREN_ROOT/build/kafka/libs
KAFKA_LIB=$AUREN_ROOT/script/lib/kafka
read -ra KAFKA_JVM <<<"${AUREN_KAFKA_JVM:--Xms64m -Xmx256m -XX:+UseSerialGC -XX:TieredStopAtLevel=1}"
KAFKA_PATIENCE=90 # seconds: only ever waited for when something is broken

kafka_java() {
  local java=java
  if [ -n "${JAVA_HOME:-}" ]; then java=$JAVA_HOME/bin/java; fi
  command -v "$java" || { say 'there is no Java: run script/bootstrap' && return 69; }
}

# Maven is asked once for each state of the pom: first for what the machine has, then for what it can fetch.
jars_fetch() {
  local pom=$1 libs=$2 folder new=$2.new log options=(-B -q) mode
  folder=$(dirname "$libs")
  log=$folder/fetch.log
  if cmp -s "$pom" "$libs/pom.xml"; then return; fi
  command -v mvn >/dev/null || { say 'there is no Maven: run script/bootstrap' && return 69; }
  mkdir -p "$folder"
  # Maven keeps what it fetched at home; some users have none.
  if ! mkdir -p "${HOME:-/nonexistent}/.m2" 2>/dev/null; then
    options+=(-Dmaven.repo.local="$AUREN_ROOT/build/kafka/m2")
  fi
  (
    flock 8
    if cmp -s "$pom" "$libs/pom.xml"; then exit; fi
    for mode in --offline --update-snapshots; do
      rm -rf "$new"
      if mvn "${options[@]}" $mode -f "$pom" dependency:copy-dependencies \
        -DincludeScope=runtime -DoutputDirectory="$new" >"$log" 2>&1 </dev/null; then
        cp "$pom" "$new/"
        rm -rf "$libs"
        mv "$new" "$libs"
        exit
      fi
    done
    say "The jars of $pom cannot be had; the end of $log:"
    tail -n 20 "$log" >&2
    exit 1
  ) 8>"$folder/lock"
}

kafka_fetch() { jars_fetch "$KAFKA_LIB/pom.xml" "$KAFKA_LIBS"; }

kafka_tool() {
  local java
  java=$(kafka_java) || return
  "$java" -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -cp "$KAFKA_LIBS/*" \
    -Dlog4j.configuration="file:$KAFKA_LIB/tools.properties" "$@"
}

kafka_address() { head -n 1 "$1/address"; }

kafka_init() {
  local dir=$1 port='' sasl=0
  shift
  while [ $# -gt 0 ]; do
    case $1 in
      --port) port=$2 && shift ;;
      --sasl) sasl=1 ;;
      *) say "kafka_init: unknown option '$1'" && return 64 ;;
    esac
    shift
  done
  kafka_fetch || return
  mkdir -p "$dir"
  (
    flock 8
    if [ ! -f "$dir/data/meta.properties" ]; then
      kafka_make "$dir" "$port" $sasl
    elif [ -n "$port" ] && [ "$(kafka_address "$dir")" != "127.0.0.1:$port" ]; then
      say "the broker in $dir is at $(kafka_address "$dir") and stays there"
      exit 1
    elif [ $sasl = 1 ] && [ ! -d "$dir/sasl" ]; then
      say "the broker in $dir was made without --sasl"
      exit 1
    fi
  ) 8>"$dir/lock"
}

kafka_make() {
  local dir=$1 port=$2 sasl=$3 format=()
  chmod 700 "$dir"
  rm -rf "$dir/data" "$dir/sasl"
  echo "127.0.0.1:${port:-$(lasting_port)}" >"$dir/address"
  kafka_properties "$dir" >"$dir/server.properties"
  if [ "$sasl" = 1 ]; then
    kafka_make_sasl "$dir" || return
    kafka_sasl_properties "$dir" >>"$dir/server.properties"
    format=(--add-scram "SCRAM-SHA-256=[name=$(cat "$dir/sasl/user"),password=$(cat "$dir/sasl/password")]")
  fi
  # The cluster's id: 16 bytes in the URL's base64, of which the first is not a dash.
  kafka_tool kafka.tools.StorageTool format -c "$dir/server.properties" "${format[@]}" \
    -t "A$(openssl rand -base64 16 | tr '+/' '-_' | cut -c 2-22)" >"$dir/format.log" 2>&1 ||
    { cat "$dir/format.log" >&2; return 1; }
}

# So that tests need not wait: a broker that was killed may register again after 2 s instead of 9, groups
# wait for nobody, old records go within a second, what Kafka keeps for itself has one partition, not fifty.
kafka_properties() {
  local controller
  controller=127.0.0.1:$(lasting_port)
  cat <<END
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@$controller
controller.listener.names=CONTROLLER
inter.broker.listener.name=PLAINTEXT
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,SASL_SSL:SASL_SSL
listeners=PLAINTEXT://$(kafka_address "$1"),CONTROLLER://$controller
log.dirs=$1/data
auto.create.topics.enable=false
num.partitions=4
broker.session.timeout.ms=2000
broker.heartbeat.interval.ms=500
group.initial.rebalance.delay.ms=0
log.initial.task.delay.ms=500
log.retention.check.interval.ms=500
log.segment.delete.delay.ms=500
offsets.topic.num.partitions=1
offsets.topic.replication.factor=1
transaction.state.log.num.partitions=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
END
}

# A certificate authority that lives for this one certificate. The user may use PLAIN and SCRAM-SHA-256.
kafka_make_sasl() {
  local sasl=$1/sasl names='subjectAltName=IP:127.0.0.1,DNS:localhost'
  mkdir -p "$sasl"
  echo "127.0.0.1:$(lasting_port)" >"$sasl/address"
  echo auren >"$sasl/user"
  openssl rand -hex 16 >"$sasl/password"
  {
    openssl req -x509 -newkey rsa:2048 -nodes -days 3650 -subj '/CN=AUREN test authority' \
      -keyout "$sasl/ca.key" -out "$sasl/ca.pem" &&
      openssl req -newkey rsa:2048 -nodes -subj '/CN=localhost' -keyout "$sasl/broker.key" \
        -out "$sasl/broker.csr" &&
      openssl x509 -req -in "$sasl/broker.csr" -CA "$sasl/ca.pem" -CAkey "$sasl/ca.key" -CAcreateserial \
        -days 3650 -extfile <(echo "$names") -out "$sasl/broker.pem" &&
      openssl pkcs12 -export -in "$sasl/broker.pem" -inkey "$sasl/broker.key" -name broker \
        -passout "file:$sasl/password" -out "$sasl/broker.p12"
  } >"$sasl/openssl.log" 2>&1 || { cat "$sasl/openssl.log" >&2; return 1; }
}

kafka_sasl_properties() {
  local sasl=$1/sasl password modules=org.apache.kafka.common.security
  password=$(cat "$sasl/password")
  cat <<END
listeners=$(sed -n 's/^listeners=//p' "$1/server.properties"),SASL_SSL://$(cat "$sasl/address")
ssl.keystore.type=PKCS12
ssl.keystore.location=$sasl/broker.p12
ssl.keystore.password=$password
ssl.key.password=$password
sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-256
listener.name.sasl_ssl.plain.sasl.jaas.config=$modules.plain.PlainLoginModule required \
user_$(cat "$sasl/user")="$password";
listener.name.sasl_ssl.scram-sha-256.sasl.jaas.config=$modules.scram.ScramLoginModule required;
END
}

# A pid file may outlive its broker, and the pid may be somebody else's by now: the command line tells.
kafka_pid() {
  local pid
  pid=$(cat "$1/pid" 2>/dev/null) || return 1
  tr '\0' '\n' 2>/dev/null <"/proc/$pid/cmdline" | grep -qxF "$1/server.properties" || return 1
  echo "$pid"
}

kafka_start() {
  local dir=$1 java overrides=() log=$1/broker.log begin=1
  shift
  while [ $# -gt 0 ]; do
    overrides+=(--override "$2")
    shift 2
  done
  java=$(kafka_java) || return
  if [ -f "$log" ]; then begin=$(($(stat -c %s "$log") + 1)); fi
  (
    flock 8
    if ! kafka_pid "$dir" >/dev/null; then
      rm -f "$dir/pid"
      # A session of its own: Ctrl-C and the end of the terminal are not for the broker. It writes its pid
      # itself, since setsid may have to fork.
      # shellcheck disable=SC2016
      setsid bash -c 'echo $$ >"$1.new" && mv "$1.new" "$1" && shift && exec "$@"' kafka "$dir/pid" \
        "$java" "${KAFKA_JVM[@]}" -Dlog4j.configuration="file:$KAFKA_LIB/log4j.properties" \
        -cp "$KAFKA_LIBS/*" kafka.Kafka "$dir/server.properties" "${overrides[@]}" \
        </dev/null >>"$log" 2>&1 8>&- &
      until [ -s "$dir/pid" ]; do sleep 0.01; done
    fi
    exec "$PYTHON" "$KAFKA_LIB/admin.py" await "$(kafka_address "$dir")" "$KAFKA_PATIENCE" \
      "$(cat "$dir/pid")" "$(sed -n 's/^cluster.id=//p' "$dir/data/meta.properties")"
  ) 8>"$dir/lock" || {
    say "Kafka does not start; from $log:"
    tail -c "+$begin" "$log" | grep -vE ' INFO |^'$'\t' | tail -n 20 >&2
    return 1
  }
}

kafka_end() {
  local dir=$1 signal=$2 pid end=$((SECONDS + KAFKA_PATIENCE))
  pid=$(kafka_pid "$dir") || return 0
  # A broker that was made to pause hears SIGTERM when it goes on.
  kill "-$signal" "$pid" 2>/dev/null || true
  kill -CONT "$pid" 2>/dev/null || true
  while kafka_pid "$dir" >/dev/null; do
    if ((SECONDS >= end)); then
      say "the broker in $dir does not stop"
      return 1
    fi
    sleep 0.05
  done
  rm -f "$dir/pid"
}

kafka_stop() { kafka_end "$1" TERM; }

kafka_kill() { kafka_end "$1" KILL; }

kafka_destroy() {
  kafka_kill "$1"
  rm -rf "$1"
}

kafka_topics() {
  local dir=$1
  shift
  "$PYTHON" "$KAFKA_LIB/admin.py" topics "$(kafka_address "$dir")" "$@"
}
