# Slicer packs what was installed; nothing is packed here.
message(STATUS "packed: ${CMAKE_PROJECT_NAME}")
