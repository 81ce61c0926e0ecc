"""The readers of the archives: products, people's photos, street garments and photos, pictures without clothing."""
