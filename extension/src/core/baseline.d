extension/src/core/baseline.o: extension/src/core/baseline.cpp \
 extension/src/core/baseline.h extension/src/core/status.h
extension/src/core/baseline.h:
extension/src/core/status.h:
