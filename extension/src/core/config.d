extension/src/core/config.o: extension/src/core/config.cpp \
 extension/src/core/config.h extension/src/core/status.h \
 extension/src/core/text.h
extension/src/core/config.h:
extension/src/core/status.h:
extension/src/core/text.h:
