"""A head drawn in three dimensions: any angle, any age, sex and ancestry, without a picture to start from."""
