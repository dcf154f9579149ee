extension/src/core/findings.o: extension/src/core/findings.cpp \
 extension/src/core/findings.h extension/src/core/engine.h \
 extension/src/core/baseline.h extension/src/core/status.h \
 extension/src/core/config.h extension/src/core/metrics.h
extension/src/core/findings.h:
extension/src/core/engine.h:
extension/src/core/baseline.h:
extension/src/core/status.h:
extension/src/core/config.h:
extension/src/core/metrics.h:
