extension/src/core/metrics.o: extension/src/core/metrics.cpp \
 extension/src/core/metrics.h extension/src/core/engine.h \
 extension/src/core/baseline.h extension/src/core/status.h \
 extension/src/core/config.h
extension/src/core/metrics.h:
extension/src/core/engine.h:
extension/src/core/baseline.h:
extension/src/core/status.h:
extension/src/core/config.h:
