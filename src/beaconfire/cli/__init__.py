"""One file per verb; joins the layers below."""
