#include "config/document.h"

const struct words verdict_words = WORDS("verdict", "unknown", "pass", "fail");
const struct words severity_words = WORDS("severity", "info", "warning", "critical");
const struct words risk_words = WORDS("risk", "low", "medium", "high", "extreme");
const struct words mode_words = WORDS("mode", "observe", "dry-run", "enforce");
const struct words on_failure_words = WORDS("onFailure", "undo", "leave");
