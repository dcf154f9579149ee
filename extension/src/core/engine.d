extension/src/core/engine.o: extension/src/core/engine.cpp \
 extension/src/core/engine.h extension/src/core/baseline.h \
 extension/src/core/status.h extension/src/core/config.h \
 extension/src/core/reason.h extension/src/core/findings.h \
 extension/src/core/metrics.h extension/src/core/text.h \
 extension/src/core/triggers.h
extension/src/core/engine.h:
extension/src/core/baseline.h:
extension/src/core/status.h:
extension/src/core/config.h:
extension/src/core/reason.h:
extension/src/core/findings.h:
extension/src/core/metrics.h:
extension/src/core/text.h:
extension/src/core/triggers.h:
