extension/src/core/triggers.o: extension/src/core/triggers.cpp \
 extension/src/core/triggers.h extension/src/core/config.h \
 extension/src/core/status.h extension/src/core/engine.h \
 extension/src/core/baseline.h extension/src/core/findings.h \
 extension/src/core/metrics.h extension/src/core/low_indicators.h
extension/src/core/triggers.h:
extension/src/core/config.h:
extension/src/core/status.h:
extension/src/core/engine.h:
extension/src/core/baseline.h:
extension/src/core/findings.h:
extension/src/core/metrics.h:
extension/src/core/low_indicators.h:
