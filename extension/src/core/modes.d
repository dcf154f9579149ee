extension/src/core/modes.o: extension/src/core/modes.cpp \
 extension/src/core/config.h extension/src/core/status.h \
 extension/src/core/text.h
extension/src/core/config.h:
extension/src/core/status.h:
extension/src/core/text.h:
