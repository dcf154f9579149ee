// A message of librdkafka as a record.
#pragma once

#include <librdkafka/rdkafka.h>

#include <string>

#include "kafka/record.h"

namespace auren::kafka {

// REQUIRES: it is a record, no error.
Record RecordOf(const rd_kafka_message_t& message, const std::string& topic);

}  // namespace auren::kafka
