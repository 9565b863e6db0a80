"""3D U-Net (Ö. Çiçek, A. Abdulkadir, S. S. Lienkamp, T. Brox, O. Ronneberger, MICCAI 2016)."""
