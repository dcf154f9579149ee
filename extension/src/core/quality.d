extension/src/core/quality.o: extension/src/core/quality.cpp \
 extension/src/core/quality.h
extension/src/core/quality.h:
