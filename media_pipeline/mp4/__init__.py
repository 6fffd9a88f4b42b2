"""Fragmented MP4, box by box: reads the encoder's files and builds the published ones.

Terms and layouts are those of ISO/IEC 14496-12. The encoder writes one file for each rung (picture only) and one for
each soundtrack. The published file of a rung has the picture and the main soundtrack, with one `moof` for each track
and segment; beside it lie tiny init objects for HLS.
"""
