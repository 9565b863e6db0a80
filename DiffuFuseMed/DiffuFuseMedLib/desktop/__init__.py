"""The desktop host: PythonQt widgets of 3D Slicer over the same Session as the browser host."""
