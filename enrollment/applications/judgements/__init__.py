"""What the review judged about an application, and how it ends when the family changes what was judged."""
