"""FakeXplain: explainable detection of AI-generated images, as an extension of ms-swift."""
