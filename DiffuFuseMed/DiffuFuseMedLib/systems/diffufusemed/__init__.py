"""DiffuFuseMed (S. Nandini et al.): latent diffusion before time-conditioned cross-modal fusion."""
