#include "neuros/factor_json.h"

namespace auren::neuros {

void AddFactor(const core::Factor& factor, pg::JsonbBuilder* json) {
  json->Add("trigger", core::TriggerName(factor));
  json->Add("metric", factor.metric);
  if (factor.indicator[0] != '\0') json->Add("indicator", factor.indicator);
  json->Add("value", factor.value);
  json->Add("baseline", factor.baseline);
  json->Add("threshold", factor.threshold);
  json->Add("z", factor.z);
  json->Add("contribution", factor.contribution);
  json->Add("fired", factor.fired);
  json->Add("borderline", factor.borderline);
  json->Add("baseline_is_default", factor.baseline_is_default);
}

}  // namespace auren::neuros
