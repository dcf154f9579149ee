extension/src/core/names.o: extension/src/core/names.cpp \
 extension/src/core/engine.h extension/src/core/baseline.h \
 extension/src/core/status.h extension/src/core/config.h
extension/src/core/engine.h:
extension/src/core/baseline.h:
extension/src/core/status.h:
extension/src/core/config.h:
