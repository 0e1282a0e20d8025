#!/bin/sh
# Apache Kafka, one node, under Redpanda's name, port and data folder.
set -eu
cd /var/lib/redpanda/data
cat >server.properties <<'PROPERTIES'
process.roles=broker,controller
node.id=0
listeners=PLAINTEXT://0.0.0.0:9092,CONTROLLER://127.0.0.1:9093
advertised.listeners=PLAINTEXT://redpanda:9092
controller.listener.names=CONTROLLER
controller.quorum.voters=0@127.0.0.1:9093
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
log.dirs=log
auto.create.topics.enable=false
broker.session.timeout.ms=2000
broker.heartbeat.interval.ms=500
group.initial.rebalance.delay.ms=0
offsets.topic.num.partitions=4
offsets.topic.replication.factor=1
transaction.state.log.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
PROPERTIES
options="-Xms128m -Xmx512m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -Dorg.slf4j.simpleLogger.defaultLogLevel=warn"
if [ ! -f log/meta.properties ]; then
    # shellcheck disable=SC2086 # they are several words
    java $options -cp '/jars/*' kafka.tools.StorageTool format --ignore-formatted -t TXhhcmRseS1hLWNsdXN0ZX -c server.properties
fi
# shellcheck disable=SC2086 # likewise
exec java $options -cp '/jars/*' kafka.Kafka server.properties
