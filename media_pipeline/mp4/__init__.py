"""Fragmented MP4, box by box: reads what the encoder wrote and builds what we publish.

Terms and layouts are those of ISO/IEC 14496-12. The encoder writes one file per rung (picture only) and one for the
sound; we publish per rung one file with both, one `moof` per track and segment, and tiny init objects for HLS.
"""
