extension/src/core/reason.o: extension/src/core/reason.cpp \
 extension/src/core/reason.h extension/src/core/config.h \
 extension/src/core/status.h extension/src/core/engine.h \
 extension/src/core/baseline.h extension/src/core/findings.h \
 extension/src/core/metrics.h extension/src/core/text.h
extension/src/core/reason.h:
extension/src/core/config.h:
extension/src/core/status.h:
extension/src/core/engine.h:
extension/src/core/baseline.h:
extension/src/core/findings.h:
extension/src/core/metrics.h:
extension/src/core/text.h:
