// neuros.switch_mode: a mode set by hand.
#include <cmath>

#include "events/append.h"
#include "neuros/config.h"
#include "neuros/mode.h"
#include "postgres/errors.h"
#include "postgres/spi.h"
#include "postgres/values.h"

namespace auren::neuros {
namespace {

// 22023 unless the mode is one of the configuration that holds.
void RequireMode(const core::Config& config, std::string_view mode) {
  if (config.FindMode(mode) != nullptr) return;
  StringInfoData known;
  initStringInfo(&known);
  for (int i = 0; i < config.mode_count; i++) {
    appendStringInfo(&known, "%s%s", i == 0 ? "" : ", ", config.modes[i].name);
  }
  ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                  errmsg("unknown mode \"%.*s\"", static_cast<int>(mode.size()), mode.data()),
                  errhint("The modes are %s.", known.data)));
}

void RequireConfidence(double confidence) {
  if (confidence >= 0 && confidence <= 1) return;
  ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                  errmsg("confidence %g is outside 0..1", confidence),
                  errhint("Give a number from 0 (a guess) to 1 (certain).")));
}

// A trigger is a name as the engine's own are.
void RequireTrigger(std::string_view trigger) {
  bool valid = !trigger.empty() && trigger.size() <= 63 && trigger[0] >= 'a' && trigger[0] <= 'z';
  for (const char c : trigger) {
    valid = valid && ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_');
  }
  if (valid) return;
  ereport(ERROR,
          (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
           errmsg("invalid trigger \"%.*s\"", static_cast<int>(trigger.size()), trigger.data()),
           errhint("A trigger is snake_case of at most 63 bytes, such as \"manual\".")));
}

// False when the person already is in that mode.
bool SwitchByHand(text* user_id, text* to_mode, text* trigger, double confidence,
                  const Jsonb* context, pg_uuid_t* event_id) {
  RequireConfidence(confidence);
  RequireTrigger(pg::View(trigger));
  text* stream = pg::Text(psprintf("user:%s", text_to_cstring(user_id)));
  events::LockStreams(&stream, 1);

  const pg::SpiSession spi = pg::SpiBegin();
  const ActiveConfig active = LoadConfig();
  RequireMode(*active.config, pg::View(to_mode));
  const ModeState state = LoadMode(user_id);
  const bool switches = state.mode != pg::View(to_mode);
  if (switches) {
    *event_id = EnterMode(state, {.user_id = user_id,
                                  .stream_id = stream,
                                  .to_mode = pg::View(to_mode),
                                  .trigger = pg::View(trigger),
                                  .confidence = confidence,
                                  .reason = "set by hand",
                                  .config_version = active.version,
                                  .context = context,
                                  .factors = nullptr,
                                  .factor_count = 0,
                                  .since = 0,
                                  .by_hand = true});
  }
  pg::SpiEnd(spi);
  return switches;
}

}  // namespace
}  // namespace auren::neuros

AUREN_SQL_FUNCTION(neuros_switch_mode) {
  using namespace auren;
  constexpr const char* kRequired[] = {"p_user_id", "p_to_mode", "p_trigger", "p_confidence"};
  for (int i = 0; i < lengthof(kRequired); i++) pg::RequireNotNull(fcinfo, i, kRequired[i]);
  auto* event_id = static_cast<pg_uuid_t*>(palloc(sizeof(pg_uuid_t)));
  if (!neuros::SwitchByHand(pg::TextArgument(fcinfo, 0), pg::TextArgument(fcinfo, 1),
                            pg::TextArgument(fcinfo, 2), PG_GETARG_FLOAT8(3),
                            pg::JsonbArgument(fcinfo, 4), event_id)) {
    PG_RETURN_NULL();
  }
  PG_RETURN_UUID_P(event_id);
}
