# slicerMacroBuildScriptedModule: a file that is listed and not there fails; the build copies what is listed below the
# module folder of the build tree, each at its own path, and the whole of that folder is installed.
function(slicerMacroBuildScriptedModule)
  cmake_parse_arguments(MY "WITH_GENERIC_TESTS;WITH_SUBDIR;VERBOSE" "NAME" "SCRIPTS;RESOURCES" ${ARGN})
  if(NOT "${MY_UNPARSED_ARGUMENTS}" STREQUAL "")
    message(FATAL_ERROR "Unknown keywords given to slicerMacroBuildScriptedModule(): \"${MY_UNPARSED_ARGUMENTS}\"")
  endif()
  set(destination ${CMAKE_BINARY_DIR}/${Slicer_QTSCRIPTEDMODULES_LIB_DIR})
  # One command a folder: a process for each of 700 files takes longer than all the rest.
  set(folders)
  foreach(file IN LISTS MY_SCRIPTS MY_RESOURCES)
    if(NOT EXISTS ${CMAKE_CURRENT_SOURCE_DIR}/${file})
      message(FATAL_ERROR "${file} is listed and not there")
    endif()
    get_filename_component(folder ${file} DIRECTORY)
    list(APPEND folders "./${folder}")
    list(APPEND "from./${folder}" ${CMAKE_CURRENT_SOURCE_DIR}/${file})
    list(APPEND "to./${folder}" ${destination}/${file})
  endforeach()
  list(REMOVE_DUPLICATES folders)
  set(copies)
  foreach(folder IN LISTS folders)
    add_custom_command(
      OUTPUT ${to${folder}}
      COMMAND ${CMAKE_COMMAND} -E make_directory ${destination}/${folder}
      COMMAND ${CMAKE_COMMAND} -E copy ${from${folder}} ${destination}/${folder}
      DEPENDS ${from${folder}}
      )
    list(APPEND copies ${to${folder}})
  endforeach()
  add_custom_target(Copy${MY_NAME} ALL DEPENDS ${copies})
  install(DIRECTORY ${destination}/ DESTINATION ${Slicer_INSTALL_QTSCRIPTEDMODULES_LIB_DIR}
    COMPONENT RuntimeLibraries USE_SOURCE_PERMISSIONS)
endfunction()

# Slicer runs it as a test; here it only has to name a script that is there.
function(slicer_add_python_unittest)
  cmake_parse_arguments(MY "" "SCRIPT" "SLICER_ARGS" ${ARGN})
  if(NOT EXISTS ${CMAKE_CURRENT_SOURCE_DIR}/${MY_SCRIPT})
    message(FATAL_ERROR "${MY_SCRIPT} is to be tested and not there")
  endif()
  message(STATUS "self test: ${MY_SCRIPT}")
endfunction()
