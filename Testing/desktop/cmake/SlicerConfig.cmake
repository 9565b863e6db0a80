# What find_package(Slicer) of a Slicer build tree sets, as far as this extension asks for it. After Slicer's
# CMake/SlicerConfig.cmake.in, CMake/UseSlicer.cmake.in and CMake/SlicerMacroBuildScriptedModule.cmake.
set(Slicer_VERSION 5.11.0)
set(Slicer_QTSCRIPTEDMODULES_LIB_DIR "lib/Slicer-5.11/qt-scripted-modules")
set(Slicer_INSTALL_QTSCRIPTEDMODULES_LIB_DIR "./lib/Slicer-5.11/qt-scripted-modules")
set(Slicer_USE_FILE "${CMAKE_CURRENT_LIST_DIR}/UseSlicer.cmake")
set(Slicer_EXTENSION_GENERATE_CONFIG "${CMAKE_CURRENT_LIST_DIR}/SlicerExtensionGenerateConfig.cmake")
set(Slicer_EXTENSION_CPACK "${CMAKE_CURRENT_LIST_DIR}/SlicerExtensionCPack.cmake")
